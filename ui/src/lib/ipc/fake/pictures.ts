/** Screenshots of the invented world, drawn from the facts they show. */

const shell = (width: number, height: number, ground: string, body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif">`
  + `<rect width="${width}" height="${height}" fill="${ground}"/>${body}</svg>`;

const words = (x: number, y: number, size: number, fill: string, content: string): string =>
  `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}">${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;

export function canvasShot(project: string, node: string): string {
  const box = (x: number, y: number, w: number, h: number, stroke: string, title: string): string =>
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="6" fill="#1b1b22" stroke="${stroke}" stroke-width="2"/>${words(x + 10, y + 20, 14, '#d8d8de', title)}`;
  return shell(1120, 640, '#101014',
    `<rect width="1120" height="34" fill="#26262c"/><circle cx="20" cy="17" r="5" fill="#55555e"/><circle cx="38" cy="17" r="5" fill="#55555e"/>${words(180, 23, 14, '#c8c8d0', `/p/${project}`)}`
    + box(90, 130, 230, 150, '#3a3a44', 'Shot 1') + `<rect x="102" y="160" width="206" height="108" fill="#34515a"/><path d="M102 268 L170 200 L215 240 L250 210 L308 268 Z" fill="#4d7a66"/>`
    + box(90, 360, 230, 190, '#3a3a44', 'Moodboard') + '<rect x="102" y="392" width="98" height="70" fill="#8a5a44"/><rect x="208" y="392" width="98" height="70" fill="#a08a48"/><rect x="102" y="470" width="98" height="70" fill="#8a4a50"/><rect x="208" y="470" width="98" height="70" fill="#55617a"/>'
    + '<path d="M320 205 C 430 205 430 330 500 330 M320 455 C 430 455 430 350 500 350" stroke="#4a4a56" stroke-width="2" fill="none"/>'
    + box(500, 180, 540, 320, '#9d86f5', node) + words(944, 200, 14, '#7fd39a', 'Completed') + '<path d="M755 320 L795 345 L755 370 Z" fill="none" stroke="#3f3f4a" stroke-width="3"/>');
}

export function billingShot(model: string, price: number): string {
  const line = (y: number, what: string, when: string, amount: string): string =>
    `${words(280, y, 17, '#1c1c20', what)}${words(280, y + 22, 14, '#7a7a82', 'Charged')}${words(690, y + 8, 16, '#55555c', when)}${words(980, y + 8, 17, '#1c1c20', amount)}<path d="M270 ${y + 38} H1080" stroke="#e6e6ea"/>`;
  return shell(1120, 640, '#ffffff',
    `<rect width="220" height="640" fill="#f3f3f5"/>${words(40, 90, 16, '#7a7a82', 'Profile')}${words(40, 130, 16, '#7a7a82', 'Team')}${words(40, 170, 16, '#1c1c20', 'Billing')}${words(40, 210, 16, '#7a7a82', 'API')}`
    + words(280, 90, 26, '#1c1c20', 'Usage') + words(280, 140, 14, '#7a7a82', 'Item') + words(690, 140, 14, '#7a7a82', 'Date') + words(980, 140, 14, '#7a7a82', 'Credits')
    + line(190, `${model} - 1080p - 8s`, 'Mar 13 10:10 AM', `-${price}`) + line(270, `${model} - 1080p - 8s`, 'Mar 12 2:04 PM', `-${price}`)
    + line(350, 'Nano Banana Pro - 2K', 'Mar 12 2:01 PM', '-18') + line(430, `${model} - 1080p - 8s`, 'Mar 12 1:40 PM', `-${price}`)
    + '<rect x="680" y="254" width="200" height="44" fill="none" stroke="#0b6b60" stroke-width="4"/><rect x="968" y="254" width="90" height="44" fill="none" stroke="#6633b8" stroke-width="4"/>');
}
