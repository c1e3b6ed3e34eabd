/** Where in the window one is, kept in the address so that back, forward and reload work. */
export type Place =
  | { readonly view: 'queue' | 'reconciler' | 'approvals' | 'outbox' | 'audit' | 'settings' }
  | { readonly view: 'case'; readonly caseId: string };

export function readPlace(hash: string): Place {
  const [view = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  if (view === 'case' && id) return { view, caseId: decodeURIComponent(id) };
  if (view === 'reconciler' || view === 'approvals' || view === 'outbox' || view === 'audit' || view === 'settings') return { view };
  return { view: 'queue' };
}

export function writePlace(place: Place): string {
  return place.view === 'case' ? `#/case/${encodeURIComponent(place.caseId)}` : `#/${place.view}`;
}

class Nav {
  place = $state.raw<Place>(readPlace(typeof location === 'undefined' ? '' : location.hash));

  go(place: Place): void {
    const hash = writePlace(place);
    if (location.hash !== hash) location.hash = hash;
    this.place = place;
  }

  openCase(caseId: string): void {
    this.go({ view: 'case', caseId });
  }

  onhashchange = (): void => {
    const next = readPlace(location.hash);
    if (writePlace(next) !== writePlace(this.place)) this.place = next;
  };
}

export const nav = new Nav();
