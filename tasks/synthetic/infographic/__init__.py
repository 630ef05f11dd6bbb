"""SyntheticInfographic, the twin of InfographicsVQA: pages of charts and small print."""
