/** What a requeue has made due, as text. */
import type { RequeuedJson } from '../../operator/status/views.js'
import { serviceNames } from './status-text.js'
import { counted } from './words.js'

export function requeuedText({ services, untouched }: RequeuedJson): string {
  const lines = [
    ...services.map(({ service, failed, waiting }) => {
      const parts = [
        ...(failed > 0 ? [`${counted(failed, 'refused item')} due again`] : []),
        ...(waiting > 0 ? [`${counted(waiting, 'waiting item')} due at once`] : []),
      ]
      return `${serviceNames[service]} (${service}): ${parts.join(', ')}.`
    }),
    ...untouched.map(({ e164, services: standings }) => {
      const stands = standings.map(({ service, status }) => `${service} ${status}`).join(', ')
      return `${e164}: nothing to try again (${stands === '' ? 'no backend serves it' : stands}).`
    }),
  ]
  if (services.length > 0) lines.push('See how it goes with: linebook status')
  return lines.length === 0 ? 'Nothing to try again.' : lines.join('\n')
}
