"""Commands that maintainers run: benchmarks, pictures, golden numbers, pretraining."""
