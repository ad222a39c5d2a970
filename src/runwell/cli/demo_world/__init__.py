"""What `runwell demo --serve` shows: workflows, and runs of them in every state."""
