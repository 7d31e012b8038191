"""What an image set holds, what is wrong with it, and what it can be solved by without cells."""
