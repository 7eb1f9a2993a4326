/** An operator's program: the official credentials, with nothing but an address, a client and what it shows. */
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity'

const [, , authorityHost, scope, certificateFile] = process.argv
const options = { authorityHost, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } }
const tenant = 'linebook'

const show = async (credential) => {
  try {
    const { token, expiresOnTimestamp } = await credential.getToken(scope)
    return { token, expiresOnTimestamp }
  } catch (error) {
    return { error: String(error.message) }
  }
}

const assertion = 'not.an.assertion'
console.log(
  JSON.stringify({
    secret: await show(new ClientSecretCredential(tenant, 'linebook-writer', 'linebook-standin', options)),
    wrongSecret: await show(new ClientSecretCredential(tenant, 'linebook-writer', 'wrong', options)),
    otherTenant: await show(new ClientSecretCredential('other', 'linebook-writer', 'linebook-standin', options)),
    certificate: await show(new ClientCertificateCredential(tenant, 'billing', certificateFile, options)),
    wrongAssertion: await show(new ClientAssertionCredential(tenant, 'billing', async () => assertion, options)),
  }),
)
