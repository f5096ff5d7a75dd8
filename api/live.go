package api

// livePath is the route of live connections, below basePath. They are in a contract of their own.
const livePath = "/rooms/:room_id/live"
