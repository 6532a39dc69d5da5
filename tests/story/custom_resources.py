"""The documentation's walk through custom resources, as a table: what is typed, and what must be in the answer.

It follows kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions", with its CronTab and its Shirt.
"""

from __future__ import annotations

from tests.story.commands import Command, c

HEAD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crontabs.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names:
    plural: crontabs
    singular: crontab
    kind: CronTab
    shortNames:
    - ct
    categories:
    - all
"""
FIRST = f"""\
{HEAD}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              cronSpec:
                type: string
              image:
                type: string
              replicas:
                type: integer
"""
FULL = f"""\
{HEAD}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: A job that comes back
        properties:
          spec:
            type: object
            properties:
              cronSpec:
                type: string
                description: When it runs
                pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){{4}}$'
                default: "5 0 * * *"
              image:
                type: string
              replicas:
                type: integer
                minimum: 1
                maximum: 10
                default: 1
          status:
            type: object
            properties:
              replicas:
                type: integer
              labelSelector:
                type: string
    subresources:
      status: {{}}
      scale:
        specReplicasPath: .spec.replicas
        statusReplicasPath: .status.replicas
        labelSelectorPath: .status.labelSelector
    additionalPrinterColumns:
    - name: Spec
      type: string
      description: The cron spec defining the interval a CronJob is run
      jsonPath: .spec.cronSpec
    - name: Replicas
      type: integer
      description: The number of jobs launched by the CronJob
      jsonPath: .spec.replicas
    - name: Age
      type: date
      jsonPath: .metadata.creationTimestamp
"""
CRONTAB = """\
apiVersion: "stable.example.com/v1"
kind: CronTab
metadata:
  name: my-new-cron-object
spec:
  cronSpec: "* * * * */5"
  image: my-awesome-cron-image
"""
BARE = """\
apiVersion: "stable.example.com/v1"
kind: CronTab
metadata:
  name: my-new-cron-object
spec:
  image: my-awesome-cron-image
"""
UNKNOWN = CRONTAB + "  someRandomField: 42\n"
WRONG = BARE + '  cronSpec: "* * * *"\n  replicas: 15\n'
SHIRTS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: shirts.stable.example.com
spec:
  group: stable.example.com
  scope: Namespaced
  names:
    plural: shirts
    singular: shirt
    kind: Shirt
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              color:
                type: string
              size:
                type: string
    selectableFields:
    - jsonPath: .spec.color
    - jsonPath: .spec.size
    additionalPrinterColumns:
    - jsonPath: .spec.color
      name: Color
      type: string
    - jsonPath: .spec.size
      name: Size
      type: string
"""
SHIRT = "apiVersion: stable.example.com/v1\nkind: Shirt\nmetadata: {{name: {0}}}\nspec: {{color: {1}, size: {2}}}\n"
CRD = "crd/crontabs.stable.example.com"
OBJECT = "crontab/my-new-cron-object"
EDIT = "sed -i /image:/s/my-awesome/my-other/"
STATUS_EDIT = "sed -i s/replicas:.1$/replicas:\\ 4/"

WALK: tuple[Command, ...] = (
    # A definition, and an object of it.
    c("apply -f -", "crontabs.stable.example.com created", stdin=FIRST),
    c(f"wait --for=condition=Established {CRD}", "condition met"),
    c("apply -f -", "crontab.stable.example.com/my-new-cron-object created", stdin=CRONTAB),
    c("get crontab", "NAME                 AGE", "my-new-cron-object"),
    c("get ct -o yaml", "kind: CronTab", "cronSpec: '* * * * */5'", "image: my-awesome-cron-image"),
    c("delete crd crontabs.stable.example.com", "deleted"),
    c("get crontabs", "the server could not find the requested resource", fails=True),
    # Pruning, rules, defaults.
    c("create -f -", "created", stdin=FULL),
    c("create --validate=false -f -", "created", stdin=UNKNOWN),
    c(f"get {OBJECT} -o yaml", "cronSpec: '* * * * */5'"),
    c(f"get {OBJECT} -o jsonpath={{.spec.someRandomField}}"),
    c("apply -f -", 'strict decoding error: unknown field "spec.someRandomField"', stdin=UNKNOWN, fails=True),
    c("apply --validate=warn -f -", 'Warning: unknown field "spec.someRandomField"', stdin=UNKNOWN),
    c(
        "apply -f -",
        'The CronTab "my-new-cron-object" is invalid',
        "spec.cronSpec in body should match '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$'",
        "spec.replicas in body should be less than or equal to 10",
        stdin=WRONG,
        fails=True,
    ),
    c(f"delete {OBJECT}", "deleted"),
    c("apply -f -", "created", stdin=BARE),
    c(f"get {OBJECT}", "NAME                 SPEC        REPLICAS   AGE", "my-new-cron-object   5 0 * * *   1"),
    c("get all", "crontab.stable.example.com/my-new-cron-object"),
    c("api-resources --api-group=stable.example.com", "crontabs", "ct"),
    c("explain crontab", "A job that comes back", "KIND:       CronTab", "metadata\t<ObjectMeta>"),
    c("explain ct.spec.cronSpec", "When it runs", "cronSpec <string>"),
    c(f"describe {OBJECT}", "API Version:  stable.example.com/v1", "Cron Spec:  5 0 * * *"),
    # Changes.
    c(f"""patch {OBJECT} --type=merge -p '{{"spec":{{"image":"b"}}}}'""", "patched"),
    c(f"""patch {OBJECT} --type=json -p '[{{"op":"replace","path":"/spec/image","value":"c"}}]'""", "patched"),
    c(f"""patch {OBJECT} -p '{{"spec":{{"image":"c"}}}}'""", "strategic-merge-patch+json is not supported", fails=True),
    c(f"label {OBJECT} tier=back", "labeled"),
    c("apply -f -", "configured", stdin=BARE),
    c("apply -f -", "unchanged", stdin=BARE),
    c(f"edit {OBJECT}", "edited", env=(("KUBE_EDITOR", EDIT),)),
    c(f"get {OBJECT} -o jsonpath={{.spec.image}}/{{.metadata.generation}}", "my-other-cron-image/5"),
    # Subresources.
    c(f"scale --replicas=5 {OBJECT}", "crontab.stable.example.com/my-new-cron-object scaled"),
    c(f"get {OBJECT} -o jsonpath={{.spec.replicas}}", "5"),
    c(f"scale --replicas=15 {OBJECT}", "should be less than or equal to 10", fails=True),
    c(f"get {OBJECT} --subresource=scale", "NAME                 DESIRED   AVAILABLE   AGE", "5         0"),
    c(f"""patch {OBJECT} --subresource=status --type=merge -p '{{"status":{{"replicas":1}}}}'""", "patched"),
    c(f"edit {OBJECT} --subresource=status", "edited", env=(("KUBE_EDITOR", STATUS_EDIT),)),
    c(f"get {OBJECT} -o jsonpath={{.status.replicas}}", "4"),
    c(f"wait --for=jsonpath={{.status.replicas}}=4 {OBJECT}", "condition met"),
    # Server-side apply.
    c("apply --server-side --field-manager=me -f -", 'conflict with "kubectl-edit"', ".spec.image", stdin=BARE, fails=True),
    c("apply --server-side --field-manager=me --force-conflicts -f -", "serverside-applied", stdin=BARE),
    c(f"get {OBJECT} -o yaml --show-managed-fields", "manager: me", "operation: Apply"),
    # Selectable fields.
    c("create -f -", "created", stdin=SHIRTS),
    c("create -f -", "created", stdin="---\n".join(SHIRT.format(*each) for each in (
        ("example1", "blue", "S"), ("example2", "blue", "M"), ("example3", "green", "M")))),
    c("get shirts.stable.example.com", "NAME       COLOR   SIZE", "example3   green   M"),
    c("get shirts --field-selector spec.color=blue", "example1", "example2"),
    c("get shirts --field-selector spec.color=green,spec.size=M -o name", "shirt.stable.example.com/example3"),
    c("get shirts --field-selector spec.sleeves=2", "field label not supported: spec.sleeves", fails=True),
    # Finalizers, and the end.
    c("""patch shirt example1 --type=merge -p '{"metadata":{"finalizers":["stable.example.com/finalizer"]}}'""", "patched"),
    c("delete crd shirts.stable.example.com --wait=false", "deleted"),
    c("create -f -", "create not allowed while custom resource definition is terminating",
      stdin=SHIRT.format("example4", "red", "L"), fails=True),
    c("get crd shirts.stable.example.com -o yaml", "reason: InstanceDeletionInProgress"),
    c("""patch shirt example1 --type=merge -p '{"metadata":{"finalizers":[]}}'""", "patched"),
    c("wait --for=delete crd/shirts.stable.example.com"),
    c("delete crd --all", 'customresourcedefinition.apiextensions.k8s.io "crontabs.stable.example.com" deleted'),
    c("get crd", "No resources found"),
)  # fmt: skip
