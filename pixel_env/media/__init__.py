"""Pictures and clips: decoded at first use, under one limit, at their own resolution."""
