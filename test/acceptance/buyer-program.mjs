/**
 * A buyer's program that signs in as itself, as it was written against the original: the official credential and the
 * official client, with nothing but an address. It prints what it met.
 */
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { ClientSecretCredential } from '@azure/identity'

const [, , origin, clientId, clientSecret] = process.argv
const credential = new ClientSecretCredential('linebook', clientId, clientSecret, {
  authorityHost: origin,
  disableInstanceDiscovery: true,
})
const client = new PhoneNumbersClient(origin, credential, { retryOptions: { maxRetries: 0 } })
const quickly = { updateIntervalInMs: 20 }

/** What a call gave, or how it was refused. */
const outcome = async (call) => {
  try {
    return await call()
  } catch (error) {
    return { refused: { status: error.statusCode, code: error.code, message: error.message } }
  }
}

async function ownedNumbers() {
  const numbers = []
  for await (const { phoneNumber } of client.listPurchasedPhoneNumbers()) numbers.push(phoneNumber)
  return numbers
}

async function buyAndRelease() {
  const searching = await client.beginSearchAvailablePhoneNumbers(
    {
      countryCode: 'US',
      phoneNumberType: 'geographic',
      assignmentType: 'application',
      capabilities: { calling: 'inbound', sms: 'none' },
      quantity: 1,
    },
    quickly,
  )
  const { searchId, phoneNumbers } = await searching.pollUntilDone()
  const purchasing = await client.beginPurchasePhoneNumbers(searchId, quickly)
  await purchasing.pollUntilDone()
  const owned = await ownedNumbers()
  const releasing = await client.beginReleasePhoneNumber(phoneNumbers[0], quickly)
  await releasing.pollUntilDone()
  return { bought: phoneNumbers, owned, left: await ownedNumbers() }
}

const { token } = await credential.getToken('https://communication.azure.com//.default')
const straight = await fetch(`${origin}/phoneNumbers?api-version=2025-06-01`, {
  headers: { Authorization: `Bearer ${token}` },
})
console.log(
  JSON.stringify({
    audience: JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).aud,
    straight: straight.status,
    token,
    outcome: await outcome(buyAndRelease),
  }),
)
