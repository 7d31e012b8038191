"""Features of ImageNet networks, selected among and classified without a network."""

#: What makes a folder that of a fitted pipeline.
PIPELINE_FILE = "pipeline.json"
