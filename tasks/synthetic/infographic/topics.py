"""What pages are about: invented figures need real nouns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that pages are about.

    Attributes:
        subject: as in a title.
        measure: what the bars show; one bar for each of `things`.
        things: what is compared, at least six.
        parts: what the ring is made of, at least five.
        series: what the line shows over the years.
        columns: headings of the table's three columns of numbers.
        people: who was asked.
    """

    subject: str
    measure: str
    things: tuple[str, ...]
    parts: tuple[str, ...]
    series: str
    columns: tuple[str, str, str]
    people: str


TOPICS: tuple[Topic, ...] = (
    Topic(
        "Coffee",
        "Cups a day",
        ("Espresso", "Latte", "Filter", "Mocha", "Flat white", "Cold brew", "Cortado"),
        ("At home", "At work", "Cafes", "Outdoors", "Hotels", "Stations"),
        "Beans roasted",
        ("Cups", "Shops", "Price"),
        "drinkers",
    ),
    Topic(
        "Cycling",
        "Trips a week",
        ("Commute", "School run", "Shopping", "Touring", "Delivery", "Racing", "Leisure"),
        ("Streets", "Alleys", "Avenues", "Paths", "Parks", "Bridges"),
        "Bikes sold",
        ("Riders", "Lanes", "Racks"),
        "riders",
    ),
    Topic(
        "Honey Bees",
        "Visits an hour",
        ("Clover", "Lavender", "Heather", "Thyme", "Linden", "Acacia", "Sunflower"),
        ("Meadows", "Orchards", "Gardens", "Forests", "Rooftops", "Hedges"),
        "Hives counted",
        ("Hives", "Jars", "Keepers"),
        "keepers",
    ),
    Topic(
        "Night Trains",
        "Seats sold",
        ("Sleeper", "Couchette", "Recliner", "Family", "Single", "Double", "Dining"),
        ("Tickets", "Meals", "Freight", "Subsidy", "Parking", "Lockers"),
        "Routes open",
        ("Trains", "Berths", "Delays"),
        "passengers",
    ),
    Topic(
        "Libraries",
        "Loans a day",
        ("Novels", "Comics", "Travel", "History", "Science", "Poetry", "Cooking"),
        ("Children", "Students", "Parents", "Retired", "Visitors", "Teachers"),
        "Cards issued",
        ("Books", "Loans", "Desks"),
        "readers",
    ),
    Topic(
        "City Trees",
        "Planted this year",
        ("Maple", "Oak", "Birch", "Plane", "Cherry", "Willow", "Chestnut"),
        ("Streets", "Parks", "Schools", "Riverside", "Squares", "Yards"),
        "Trees standing",
        ("Trees", "Benches", "Nests"),
        "neighbours",
    ),
    Topic(
        "Wind Power",
        "Turbines built",
        ("Coast", "Hills", "Plains", "Offshore", "Islands", "Ridges", "Harbours"),
        ("Homes", "Factories", "Railways", "Storage", "Offices", "Farms"),
        "Power fed in",
        ("Towers", "Blades", "Crews"),
        "engineers",
    ),
    Topic(
        "Street Food",
        "Stalls open",
        ("Noodles", "Tacos", "Pancakes", "Falafel", "Dumplings", "Waffles", "Curry"),
        ("Markets", "Festivals", "Stadiums", "Stations", "Beaches", "Campus"),
        "Meals served",
        ("Stalls", "Meals", "Cooks"),
        "guests",
    ),
)

TITLES = ("{} in Numbers", "The State of {}", "A Year of {}", "{} at a Glance")

PLACES = (
    "Aberdeen", "Bergen", "Bilbao", "Bologna", "Coimbra", "Dresden", "Galway", "Ghent",
    "Graz", "Leeds", "Lyon", "Malmo", "Nantes", "Porto", "Riga", "Seville", "Tallinn", "Turin",
    "Utrecht", "Zagreb",
)  # fmt: skip
"""Rows of tables."""

FOUNDERS = (
    "Alder", "Brook", "Carver", "Denham", "Ellery", "Fenwick", "Garland", "Harlow", "Ingram",
    "Jessop", "Kendal", "Linton", "Marlow", "Norwood", "Orwell", "Prescott", "Quill", "Ransome",
    "Selby", "Thorne", "Upton", "Varley", "Winslow", "Yardley",
)  # fmt: skip
HOUSES = ("Institute", "Survey", "Trust", "Archive", "Society", "Bureau")
"""A source is a founder's house: "Harlow Institute"."""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
