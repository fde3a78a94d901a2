"""What `make bench` measures: one module per subject, each with `measure(bench)`, which answers with a Section."""
