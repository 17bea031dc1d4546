"""Reviews: promotions that wait for a person, and what that person does (design, "Reviews")."""
