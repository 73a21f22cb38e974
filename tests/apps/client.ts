/** What an app does at its next start with the token that it kept. Null: show the sign-in form. */
export async function trade(latchkey: string, kept: object, device: object) {
  const answer = await fetch(`${latchkey}/api/v1/auth/exchange`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...kept, device }),
  })
  return answer.ok ? ((await answer.json()) as Opened).data : null
}

type Opened = { data: { token: string; refreshToken: string } }
