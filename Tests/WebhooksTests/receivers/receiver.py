"""Receivers' own checks, in Python with nothing but its library. Each line of standard input is a job: {"dialect",
"headers": {lower-case name: value}, "body": base64, "secret", "now": Unix seconds}; each line of output its answer:
{"accepted": bool}."""

import base64
import hashlib
import hmac
import json
import sys

TOLERANCE = 300


# As the seed publishes it (000).
def verify_signature(payload, signature, secret):
    expected = hmac.new(
        secret.encode('utf-8'),
        payload.encode('utf-8'),
        hashlib.sha256
    ).hexdigest()
    return hmac.compare_digest(expected, signature)


def tenzo(headers, body, secret, now):
    return verify_signature(body.decode('utf-8'), headers['x-webhook-signature'], secret)


# The seed (003) publishes it for Node.
def rejento(headers, body, secret, now):
    return verify_signature(body.decode('utf-8'), headers['x-rejento-signature'], secret)


# The seed (004) says: from the raw JSON body, with the webhook secret, HMAC SHA-256.
def kendo(headers, body, secret, now):
    return verify_signature(body.decode('utf-8'), headers['x-kendo-signature'], secret)


# The seed (002) publishes it for Node, without the age.
def talentsprout(headers, body, secret, now):
    parts = dict(part.split('=') for part in headers['x-talentsprout-signature'].split(','))
    payload = parts['t'] + '.' + body.decode('utf-8')
    return verify_signature(payload, parts['v1'], secret) and abs(now - int(parts['t'])) <= TOLERANCE


# The Standard Webhooks specification.
def standard(headers, body, secret, now):
    key = base64.b64decode(secret.removeprefix('whsec_'))
    time = headers['webhook-timestamp']
    if abs(now - int(time)) > TOLERANCE:
        return False
    signed = f"{headers['webhook-id']}.{time}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    pairs = [signature.split(',', 1) for signature in headers['webhook-signature'].split(' ')]
    return any(version == 'v1' and hmac.compare_digest(expected, signature) for version, signature in pairs)


CHECKS = {'standard': standard, 'rejento': rejento, 'tenzo': tenzo, 'talentsprout': talentsprout, 'kendo': kendo}


def judge(job):
    try:
        return CHECKS[job['dialect']](job['headers'], base64.b64decode(job['body']), job['secret'], job['now'])
    except (KeyError, ValueError):  # a header is missing or has another form
        return False


if __name__ == '__main__':
    for line in sys.stdin:
        print(json.dumps({'accepted': judge(json.loads(line))}))
