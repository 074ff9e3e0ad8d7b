"""Build tables, sentences and exports from runs; nothing here measures or decides."""
