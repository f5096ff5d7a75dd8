// The quickest that Node has: the cache in Redis holds the answer's bytes, which are sent as they are.
const fastify = require('fastify')
const Redis = require('ioredis')

const redis = new Redis(process.env.REDIS_URL)
const app = fastify()

app.get('/api/rooms', async (request, reply) => {
  const cached = await redis.getBuffer(process.env.KEY)
  if (!cached) return reply.code(404).send({ code: 'not_found' })
  return reply.type('application/json').send(cached)
})

app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
