DROP TABLE live_members, live_nodes;
