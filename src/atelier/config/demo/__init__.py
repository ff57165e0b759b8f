"""The demo market: fictional designers, copywriters, a buyer and an operator. Everything in it says that it is demo."""
