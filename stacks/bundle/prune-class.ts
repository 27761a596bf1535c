import ts from "typescript";

/** One source that declares a class. */
export interface ClassSource {
  readonly path: string;
  readonly text: string;
}

interface Method {
  readonly name: string;
  /** Where it stands in its source, with what leads to it (its comment). */
  readonly start: number;
  readonly end: number;
  readonly mentions: ReadonlySet<string>;
}

/** Returns every name that `node` could call a method by: of a property, or a whole string, but no key of an object. */
function mentionsOf(node: ts.Node): Set<string> {
  const found = new Set<string>();
  const visit = (child: ts.Node): void => {
    if (ts.isPropertyAccessExpression(child)) found.add(child.name.text);
    else if (ts.isBindingElement(child)) found.add((child.propertyName ?? child.name).getText());
    else if (ts.isStringLiteralLike(child)) {
      const isKey = ts.isPropertyAssignment(child.parent) && child.parent.name === child;
      if (!isKey) found.add(child.text);
    }
    ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  return found;
}

const isNamedMethod = (node: ts.Node): node is ts.MethodDeclaration & { name: ts.Identifier } =>
  ts.isMethodDeclaration(node) && ts.isIdentifier(node.name);

function parse({ path, text }: ClassSource): { methods: Method[]; outside: Set<string> } {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const methods: Method[] = [];
  const outside = new Set<string>();
  const take = (names: ReadonlySet<string>): void => {
    for (const name of names) outside.add(name);
  };
  for (const statement of file.statements) {
    if (!ts.isClassDeclaration(statement)) {
      take(mentionsOf(statement));
      continue;
    }
    for (const member of statement.members) {
      if (isNamedMethod(member)) {
        const body = member.body ? mentionsOf(member.body) : new Set<string>();
        for (const parameter of member.parameters) for (const name of mentionsOf(parameter)) body.add(name);
        methods.push({ name: member.name.text, start: member.getFullStart(), end: member.getEnd(), mentions: body });
      } else take(mentionsOf(member)); // the constructor, fields, accessors: always there
    }
  }
  return { methods, outside };
}

/** Returns every name by which a source could call or override a method, for use as roots. */
export function namesIn({ path, text }: ClassSource): Set<string> {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  const found = mentionsOf(file);
  const visit = (node: ts.Node): void => {
    if (ts.isMethodDeclaration(node)) found.add(node.name.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/**
 * Returns the sources of classes of one hierarchy without the methods that nothing can call: those whose name stands
 * neither in `roots`, nor outside of the methods, nor in a method that stays, as a property's name or a whole string. A call by
 * a name put together at run time is not seen.
 */
export function pruneMethods(sources: readonly ClassSource[], roots: ReadonlySet<string>): ReadonlyMap<string, string> {
  const parsed = sources.map((source) => ({ source, ...parse(source) }));
  const all = parsed.flatMap(({ methods }) => methods);
  const live = new Set([...roots, ...parsed.flatMap(({ outside }) => [...outside])]);
  const done = new Set<Method>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const method of all) {
      if (done.has(method) || !live.has(method.name)) continue;
      done.add(method);
      for (const name of method.mentions) live.add(name);
      grew = true;
    }
  }
  return new Map(
    parsed.map(({ source, methods }) => {
      let text = "";
      let from = 0;
      for (const method of methods.filter((one) => !done.has(one))) {
        text += source.text.slice(from, method.start);
        from = method.end;
      }
      return [source.path, text + source.text.slice(from)];
    }),
  );
}
