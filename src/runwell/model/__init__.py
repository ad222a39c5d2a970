"""The vocabulary: ids, workflow documents, runs, events, commands, errors. No behaviour, no I/O."""
