"""Git hooks: put in, taken out, looked at; in company of other hooks and their managers.

Needs git only, no project that can be read. What a hook does when it runs is in
:mod:`venvman.workflow.hooking`. Where ours goes:

- the hooks folder of the repository; a hook that was there first moves to the folder beside it
  (:data:`venvman.githooks.script.EARLIER`) and is run from there, first;
- where pre-commit or prek stands in a hook's place and has moved ours to ``NAME.legacy``, which
  they run, it stays there;
- with husky 9, whose hooks folder ``.husky/_`` holds dispatchers, into ``.husky`` as any of its
  hooks;
- where lefthook writes the hooks, ``lefthook-local.yml`` runs ours, which lies in the git folder.
"""
