// Runs before any script of the page. Keeps every breach of the content security policy, from the
// first byte on, where the journeys through the real window can count them: there are none.
{
  const breaches = []
  document.addEventListener('securitypolicyviolation', (event) => {
    breaches.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)
  })
  Object.defineProperty(window, 'policyBreaches', { get: () => [...breaches] })
}
