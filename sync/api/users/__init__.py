"""The users API: `/users`, for programs with a key (docs/users-api.md)."""
