"""The plan: what each route needs, decided once, at registration. `types` says what it is, `compile` how it is made."""
