// A way through that one takes at a time, in the order of their coming: so that of several that are suspected a death of the process speaks against one alone (rules M4).

export interface Place {
  readonly isIn: boolean;
  /** Lets the next one in; later calls do nothing. */
  leave(): void;
}

export class OneByOne {
  readonly #places: { isIn: boolean; readonly enters: () => void }[] = [];

  /** @param enters called when its turn has come, where it had to wait */
  enter(enters: () => void): Place {
    const place = { isIn: this.#places.length === 0, enters };
    this.#places.push(place);
    return {
      get isIn() {
        return place.isIn;
      },
      leave: () => {
        const at = this.#places.indexOf(place);
        if (at < 0) return;
        this.#places.splice(at, 1);
        const [next] = this.#places;
        if (next === undefined || next.isIn) return;
        next.isIn = true;
        next.enters();
      },
    };
  }
}
