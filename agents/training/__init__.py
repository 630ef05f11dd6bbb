"""What every training shares: processes, sharding, optimizer steps, micro-batches, metrics."""
