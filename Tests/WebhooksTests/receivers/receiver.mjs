// Receivers' own checks, in Node with nothing but its library. Each line of standard input is a job: {"dialect",
// "headers": {lower-case name: value}, "body": base64, "secret", "now": Unix seconds}; each line of output its answer:
// {"accepted": bool}.
import crypto from 'node:crypto'
import { createInterface } from 'node:readline'

const tolerance = 300

// As the seed publishes it (003), without its types.
function verify(rawBody, signature, secret) {
  const expected = crypto.createHmac('sha256', secret)
    .update(rawBody).digest('hex')
  return crypto.timingSafeEqual(
    Buffer.from(signature, 'hex'),
    Buffer.from(expected, 'hex'),
  )
}

// As the seed publishes it (002).
function verifyWebhook(body, signatureHeader, secret) {
  const parts = Object.fromEntries(
    signatureHeader.split(',').map(p => p.split('='))
  )
  const timestamp = parts.t
  const expectedSig = parts.v1
  const signedPayload = `${timestamp}.${body}`
  const computedSig = crypto
    .createHmac('sha256', secret)
    .update(signedPayload)
    .digest('hex')
  return computedSig === expectedSig
}

// The Standard Webhooks specification.
function standard(headers, body, secret, now) {
  const time = headers['webhook-timestamp']
  if (Math.abs(now - Number(time)) > tolerance) return false
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const expected = crypto.createHmac('sha256', key)
    .update(`${headers['webhook-id']}.${time}.`).update(body).digest()
  return headers['webhook-signature'].split(' ').some(entry => {
    const [version, signature] = entry.split(',')
    const bytes = Buffer.from(signature, 'base64')
    return version === 'v1' && bytes.length === expected.length && crypto.timingSafeEqual(bytes, expected)
  })
}

const checks = {
  standard,
  rejento: (headers, body, secret) => verify(body.toString(), headers['x-rejento-signature'], secret),
  tenzo: (headers, body, secret) => verify(body.toString(), headers['x-webhook-signature'], secret),
  kendo: (headers, body, secret) => verify(body.toString(), headers['x-kendo-signature'], secret),
  // The published check does not look at the age; a careful receiver does.
  talentsprout: (headers, body, secret, now) => {
    const header = headers['x-talentsprout-signature']
    const age = now - Number(/t=(\d+)/.exec(header)[1])
    return verifyWebhook(body.toString(), header, secret) && Math.abs(age) <= tolerance
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line)
  let accepted = false
  try {
    accepted = checks[job.dialect](job.headers, Buffer.from(job.body, 'base64'), job.secret, job.now)
  } catch {
    // A header is missing or has another form.
  }
  console.log(JSON.stringify({ accepted }))
}
