DROP TABLE invitation_optouts;
