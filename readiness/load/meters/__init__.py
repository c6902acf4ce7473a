"""What a server tells of itself meanwhile: its memory, its GPUs, its metrics."""
