"""Single cells of C-NMC 2019: random splits beside unseen subjects, subject by subject."""
