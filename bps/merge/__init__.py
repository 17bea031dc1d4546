"""Three-way and N-way merge of YAML: trees with source spans in, spliced source text out."""
