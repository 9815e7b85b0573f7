"""OpenAI-compatible endpoints, whoever answers behind them: students, teachers, embedders."""
