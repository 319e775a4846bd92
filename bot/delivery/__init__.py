"""How a job's messages reach their person: each once, by the first route that is open, within Discord's sizes."""
