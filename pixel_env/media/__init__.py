"""Pictures and clips: decoded when looked at, under one limit, at their own resolution."""
