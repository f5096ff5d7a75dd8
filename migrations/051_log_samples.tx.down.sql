-- What is logged of the role is the operator's: it stays.
SELECT;
