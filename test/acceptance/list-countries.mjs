/** A user's program: both generations of the official client, with nothing but a connection string. */
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { PhoneNumbersClient as PhoneNumbersClientV1 } from 'azure-phone-numbers-v1'

const connectionString = process.argv[2] ?? ''
const options = { retryOptions: { maxRetries: 0 } }

const count = async (list) => {
  let items = 0
  for await (const _ of list) items++
  return items
}
const countries = await count(new PhoneNumbersClient(connectionString, options).listAvailableCountries())
const numbers = await count(new PhoneNumbersClientV1(connectionString, options).listPurchasedPhoneNumbers())
console.log(`${countries} countries, ${numbers} numbers`)
