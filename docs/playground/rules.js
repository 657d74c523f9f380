// The rules of regulated verse as a mask of the next tokens: gruworks.tasks.generate.verse.constraint, for one poem.
export class Rules {
  constructor(table, form) {
    Object.assign(this, table.forms[form], { newline: table.newline, end: table.end, groups: table.groups });
    this.known = [...table.tones].map((tone) => tone !== "-");
    this.tones = [...table.tones].map((tone) => Number(tone) || 0);
    this.total = this.lines * (this.length + 1) + 1;
  }
  // 1 for each token that may follow the tokens of `prefix`
  mask(prefix) {
    const width = this.length + 1, line = Math.floor(prefix.length / width), place = prefix.length % width;
    const allowed = new Uint8Array(this.tones.length);
    if (prefix.length >= this.total - 1 || place === this.length) {
      allowed[prefix.length >= this.total - 1 ? this.end : this.newline] = 1;
      return allowed;
    }
    const rhymes = this.rhymed.map((_, p) => this.shared(prefix, line, p));
    const ways = this.rhymed.map((_, p) => (rhymes[p].groups ? this.ways(prefix, line, p) : []));
    const rhyming = place === this.length - 1 && (line % 2 === 1 || line === 0);
    this.rhymed.forEach((rhymed, p) => {
      if (!rhyming || (line === 0 && !rhymed)) this.byTone(allowed, ways[p].map((w) => this.wants[line][place][p][w]));
      else if (ways[p].length) this.atRhyme(allowed, rhymes[p]);
    });
    return allowed;
  }
  // Numbers of the tone sequences of the current couplet that fit; none where an earlier couplet fits no sequence.
  ways(prefix, line, p) {
    let fitting = [];
    for (let couplet = 0; couplet <= line >> 1; couplet++) {
      fitting = this.possible[p][couplet].map((_, w) => w).filter((w) => this.possible[p][couplet][w] && this.fits(prefix, couplet, p, w));
      if (!fitting.length) return [];
    }
    return fitting;
  }
  fits(prefix, couplet, p, w) {
    return [2 * couplet, 2 * couplet + 1].every((line) => this.wants[line].every((wants, place) => {
      const token = prefix[line * (this.length + 1) + place];
      return token === undefined || wants[p][w] === 0 || this.tones[token] & wants[p][w];
    }));
  }
  // Level groups, as bits, that all rhymes before a line share, and these rhymes.
  shared(prefix, line, p) {
    let groups = this.viable[p];
    const used = [];
    for (let n = 0; n < line; n++) {
      if (n % 2 === 0 && !(n === 0 && this.rhymed[p])) continue;
      const token = prefix[n * (this.length + 1) + this.length - 1];
      groups &= used.includes(token) ? 0 : this.groups[token];
      used.push(token);
    }
    return { groups, used };
  }
  byTone(allowed, wanted) {
    for (const want of new Set(wanted)) for (let i = 0; i < allowed.length; i++) if (this.known[i] && (want === 0 || this.tones[i] & want)) allowed[i] = 1;
  }
  atRhyme(allowed, { groups, used }) {
    for (let i = 0; i < allowed.length; i++) if (this.groups[i] & groups && !used.includes(i)) allowed[i] = 1;
  }
}
