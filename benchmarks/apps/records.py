"""The records of the scenario "100 KB from models": plain data, of which each framework makes models of its kind."""

RECORDS = [
    {
        "id": number,
        "name": f"Customer {number:04d}",
        "email": f"customer.{number:04d}@example.org",
        "balance": number * 12.25 + 0.5,
        "active": number % 3 != 0,
        "tags": ["regular", "newsletter", f"group-{number % 7}"],
        "address": {"street": f"{number} Long Street", "city": "Springfield", "postcode": f"{10000 + number}"},
    }
    for number in range(450)
]
