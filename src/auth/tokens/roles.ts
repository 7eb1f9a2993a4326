/** The roles that a token's `roles` claim may grant: for the Provisioning API, and for the Operator API. */
export const roles = ['Admin', 'Read', 'Write', 'Delete'] as const
export type Role = (typeof roles)[number]

/** How a role of the Provisioning API is called in tokens, and by the people who grant it. */
export const roleName = (role: Role): string => `ProvisioningAPI.${role}`

/** How a role of the Operator API is called. */
export const operatorRoleName = (role: Role): string => `Operator.${role}`

/** Every role that can be granted, by name. */
export const roleNames: readonly string[] = [...roles.map(roleName), ...roles.map(operatorRoleName)]

/** Portal users hold roles of their own, which allow the same: `ProvisioningAPI.ReadUser` and so on. */
const granted: ReadonlyMap<string, Role> = new Map(
  roles.flatMap((role) => [
    [roleName(role), role],
    [`${roleName(role)}User`, role],
  ]),
)

/** Who administers accounts administers the rest; the other roles for accounts grant nothing of it. */
const grantedOfOperator: ReadonlyMap<string, Role> = new Map<string, Role>([
  ...roles.map((role): [string, Role] => [operatorRoleName(role), role]),
  [roleName('Admin'), 'Admin'],
  [`${roleName('Admin')}User`, 'Admin'],
])

/** The roles in the Provisioning API that a `roles` claim grants: an array of names, or a single one. */
export const rolesOfClaim = (claim: unknown): ReadonlySet<Role> => rolesIn(granted, claim)

/** The roles in the Operator API that it grants. */
export const operatorRolesOfClaim = (claim: unknown): ReadonlySet<Role> => rolesIn(grantedOfOperator, claim)

/** Names of other APIs grant nothing. */
function rolesIn(known: ReadonlyMap<string, Role>, claim: unknown): ReadonlySet<Role> {
  const names: unknown[] = Array.isArray(claim) ? claim : [claim]
  return new Set(names.flatMap((name) => (typeof name === 'string' ? (known.get(name) ?? []) : [])))
}

/** Whether these roles allow what `needed` allows. None implies another, but Admin allows everything. */
export const allows = (held: ReadonlySet<Role>, needed: Role): boolean => held.has(needed) || held.has('Admin')
