"""The knowledge base: curated, cited entries, the code that reads, checks and searches them."""
