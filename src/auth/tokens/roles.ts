/** The roles that a token's `roles` claim may grant. */
export const roles = ['Admin', 'Read', 'Write', 'Delete'] as const
export type Role = (typeof roles)[number]

/** How a role is called in tokens, and by the people who grant it. */
export const roleName = (role: Role): string => `ProvisioningAPI.${role}`

/** Portal users hold roles of their own, which allow the same: `ProvisioningAPI.ReadUser` and so on. */
const granted: ReadonlyMap<string, Role> = new Map(
  roles.flatMap((role) => [
    [roleName(role), role],
    [`${roleName(role)}User`, role],
  ]),
)

/** The roles that a `roles` claim grants: an array of names, or a single one. Names of other APIs grant nothing here. */
export function rolesOfClaim(claim: unknown): ReadonlySet<Role> {
  const names: unknown[] = Array.isArray(claim) ? claim : [claim]
  return new Set(names.flatMap((name) => (typeof name === 'string' ? (granted.get(name) ?? []) : [])))
}

/** Whether these roles allow what `needed` allows. None implies another, but Admin allows everything. */
export const allows = (held: ReadonlySet<Role>, needed: Role): boolean => held.has(needed) || held.has('Admin')
