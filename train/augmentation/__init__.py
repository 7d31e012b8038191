"""Random changes that leave a field's class as it is, as Keras layers.

The layers run inside the training model, on whichever device and backend Keras uses, so that
images stay in memory as uint8.
"""
