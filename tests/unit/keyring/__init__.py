"""The key registry: keys in files, the records, and who may change them."""
