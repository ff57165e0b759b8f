"""The demo market: two fictional copywriters, a buyer and an operator. Everything in it says that it is demo."""
