import { describe, expect, it } from 'vitest';

import { Dispatcher, search, SEQUENCE_MS, type Command, type KeyContext, type KeyPress } from './dispatch';

const command = (id: string, keys: string[], more: Partial<Command> = {}): Command => ({ id, title: id, group: 'Case', keys, run: () => undefined, ...more });
const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, isComposing: false, timeStamp: 0,
  getModifierState: () => false, ...more,
});
const FREE: KeyContext = { inText: false, onControl: false, letters: true, mac: false };

function runs(commands: Command[], events: KeyPress[], context: Partial<KeyContext> = {}): string | undefined {
  const dispatcher = new Dispatcher();
  const last = events.map((event) => dispatcher.press(event, commands, { ...FREE, ...context })).at(-1);
  return last?.kind === 'run' ? last.command.id : undefined;
}

describe('dispatching', () => {
  const go = command('go', ['g q']);
  const next = command('next', ['j'], { repeats: true });
  const confirm = command('confirm', ['Mod+Enter']);
  const open = command('open', ['Enter']);

  it.each<[string, Command[], KeyPress[], Partial<KeyContext>, string | undefined]>([
    ['a letter', [next], [press('j')], {}, 'next'],
    ['a letter while typing', [next], [press('j')], { inText: true }, undefined],
    ['a letter where letters are off', [next], [press('j')], { letters: false }, undefined],
    ['a chord while typing', [confirm], [press('Enter', { ctrlKey: true })], { inText: true }, 'confirm'],
    ['a chord where letters are off', [confirm], [press('Enter', { ctrlKey: true })], { letters: false }, 'confirm'],
    ['Enter on a button', [open], [press('Enter')], { onControl: true }, undefined],
    ['Enter while typing', [open], [press('Enter')], { inText: true }, undefined],
    ['Enter that stays down, for money', [confirm], [press('Enter', { ctrlKey: true, repeat: true })], {}, undefined],
    ['a letter that stays down, for moving', [next], [press('j', { repeat: true })], {}, 'next'],
    ['a composed letter', [next], [press('j', { isComposing: true })], {}, undefined],
    ['a sequence', [go], [press('g'), press('q', { timeStamp: SEQUENCE_MS })], {}, 'go'],
    ['a sequence too slow', [go], [press('g'), press('q', { timeStamp: SEQUENCE_MS + 1 })], {}, undefined],
    ['a sequence with Shift in between', [command('both', ['g Q'])], [press('g'), press('Shift'), press('Q', { shiftKey: true })], {}, 'both'],
    ['the later of two', [open, command('sheet', ['Enter'])], [press('Enter')], {}, 'sheet'],
    ['the one that makes sense now', [open, command('sheet', ['Enter'], { when: () => false })], [press('Enter')], {}, 'open'],
  ])('%s', (_what, commands, events, context, want) => {
    expect(runs(commands, events, context)).toBe(want);
  });

  it('tells what a sequence can go on to', () => {
    const outcome = new Dispatcher().press(press('g'), [go, next], FREE);
    expect(outcome).toMatchObject({ kind: 'pending', next: [{ id: 'go' }] });
  });
});

describe('searching commands', () => {
  const all = [command('a', [], { title: 'Open case' }), command('b', [], { title: 'Case claimed by me' }), command('c', [], { title: 'Pan left', keyOnly: true })];
  it('puts first what starts with the words', () => {
    expect(search(all, 'case').map((found) => found.id)).toEqual(['b', 'a']);
  });
  it('leaves out what is only a key', () => {
    expect(search(all, 'pan')).toEqual([]);
  });
});
