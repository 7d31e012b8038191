"""What is tried when plain int8 does not pass the gate, in order, until something does."""
