"""What a specimen's answer rests on: how much alike a model's errors on one smear are."""
