"""OpenAI's protocol: its requests as ours, our answers and errors as its own."""
