"""Shapes of requests and answers; every field that a client may set is listed, all others are ignored."""
