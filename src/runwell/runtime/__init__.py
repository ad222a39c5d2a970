"""The embedded runtime: hosts the engine in one asyncio process."""
