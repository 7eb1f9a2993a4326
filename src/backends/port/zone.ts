/**
 * The port to the DNS zone that holds Direct Routing's TXT records. Names are whole (`contoso.1r1.voice.example`),
 * lower case, without a dot at the end.
 */
export interface TxtRecord {
  name: string
  /** All values of the name; empty for a name that is not to be there. */
  values: readonly string[]
}

export interface Zone {
  readonly name: 'built-in'
  /** Sets each name to exactly these values, all of them or none. Repeating it changes nothing. */
  replaceTxt(records: readonly TxtRecord[]): Promise<void>
  /** What the zone says at this moment; a name without records is left out. Rejects when the zone can't be asked. */
  lookupTxt(names: readonly string[]): Promise<Map<string, readonly string[]>>
}
