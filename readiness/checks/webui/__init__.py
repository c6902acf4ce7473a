"""The dimension `webui`: sessions, sign-up, uploads and streams of a live Open WebUI."""
