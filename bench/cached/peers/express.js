// An API as Node applications often have it: the cache in Redis holds JSON, which is parsed and written anew.
const express = require('express')
const Redis = require('ioredis')

const redis = new Redis(process.env.REDIS_URL)
const app = express()

app.get('/api/rooms', async (req, res) => {
  const cached = await redis.get(process.env.KEY)
  if (!cached) return res.status(404).json({ code: 'not_found' })
  res.json({ _cached: true, ...JSON.parse(cached) })
})

app.listen(Number(process.env.PORT), '127.0.0.1')
