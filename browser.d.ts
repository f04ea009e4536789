// What `tsc` should know of the page beyond its library: all that selectors find in our templates is
// HTML or SVG, with the properties that its tag has. Read by `make lint` alone.

declare const htmx: {
  ajax(verb: string, path: string, context: object): Promise<void>;
  process(element: Element): void;
  trigger(element: Element, name: string, detail: object): void;
};
declare const Idiomorph: {
  morph(old: Element, content: Element, options: object): void;
};

interface Element extends HTMLOrSVGElement {
  hidden: any;
  inert: boolean;
  click(): void;
  closest(selectors: string): any;
}

interface EventTarget {
  closest(selectors: string): any;
  matches: any;
}

interface ParentNode {
  querySelector(selectors: string): any;
  querySelectorAll(selectors: string): NodeListOf<any>;
}

interface Document {
  getElementById(id: string): any;
  /** htmx's events are of the document, too. */
  addEventListener(type: `htmx:${string}`, listener: (event: CustomEvent) => unknown): void;
}

interface HTMLFormControlsCollection {
  [name: string]: any;
}

interface Performance {
  getEntriesByType(type: "navigation"): PerformanceNavigationTiming[];
}
